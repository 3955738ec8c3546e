"""The pages that users open: server-rendered, whole without JavaScript, better with it."""

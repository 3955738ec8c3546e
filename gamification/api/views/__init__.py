"""The viewsets, a module a topic: verb, check the types, one service, answer."""

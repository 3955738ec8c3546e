"""The REST API: translates between JSON and the services, and decides nothing."""

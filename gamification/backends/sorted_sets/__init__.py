"""Boards as sorted sets in Redis or Valkey; what the backend in ``redis.py`` is made of."""

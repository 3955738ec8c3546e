"""A project of somebody else: users with a UUID and an e-mail address, no ``username``, and no admin of users."""

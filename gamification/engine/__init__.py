"""The steps that services are made of; all of them assume that the user is locked."""

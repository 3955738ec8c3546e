import pytest

# The contract is no test module by its name, and its failures should say as much as those of one.
pytest.register_assert_rewrite("gamification.tests.backends.contract")

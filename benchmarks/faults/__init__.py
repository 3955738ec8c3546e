"""What is tried to make the app lose, double or tell something; each script prints what it tried and what was lost."""

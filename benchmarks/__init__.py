"""What the app costs, as ratios measured in one run. ``make bench`` runs all of it; nothing here asserts a time."""

"""The rules, as pure functions of plain values: no Django, no clock, no input or output."""

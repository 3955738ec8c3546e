"""The hot path's statements, where building them with the ORM would cost more than running them."""

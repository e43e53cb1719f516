"""Plans and demonstrations in the formats of others."""

"""Pictures of fields that are spread over the ranks."""

"""What stands for a block: models, behind one door (`insitu.models.base`)."""

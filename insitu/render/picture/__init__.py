"""Scenes, views, annotations, image files and movies."""

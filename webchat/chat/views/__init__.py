"""What do people ask of their conversations? Views fetch with permission, say one verb, and render."""

"""What is written at a step: relay, Python script, movie."""

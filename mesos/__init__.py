"""What the author of a framework imports: types, resources, messages, drivers and the detection of masters."""

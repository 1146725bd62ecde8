"""What does the demo team look like? People, what was granted to them, what they talked about, a month of usage."""

"""What does the demo upstream say?"""

"""How does the demo upstream go wrong, when it is asked to?"""

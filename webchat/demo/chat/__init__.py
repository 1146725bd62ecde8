"""How does the demo upstream answer a chat request?"""

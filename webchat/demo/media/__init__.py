"""How does the demo upstream speak, listen and draw?"""

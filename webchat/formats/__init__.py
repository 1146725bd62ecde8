"""How are numbers and dates written where Django leaves it open?"""

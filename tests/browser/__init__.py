"""A package of its own, so that what is made for these tests (the browser, the portal) ends with the last of them."""

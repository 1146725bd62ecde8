"""How do we speak the API? No models, no Django app: `client` is the way in, `errors` what can go wrong."""

"""What uvicorn's connections do with peers that are slow, wrong or gone."""

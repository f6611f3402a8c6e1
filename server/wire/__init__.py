"""The connections under the application: uvicorn's protocols with an end to every silence, flood and fault."""

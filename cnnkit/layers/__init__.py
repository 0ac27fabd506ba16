"""Every layer that the course teaches and Keras lacks."""

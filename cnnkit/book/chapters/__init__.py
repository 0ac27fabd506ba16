"""What each chapter claims and asks: one module a chapter, named after it (`ch04_convolution`)."""

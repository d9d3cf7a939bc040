"""Authors propose patches; they never judge them."""

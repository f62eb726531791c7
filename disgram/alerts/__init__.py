"""One message to the operator when a problem begins that needs a person, and one when it is over."""

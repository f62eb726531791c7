"""HTTP over requests, as strict as a service needs it that runs unattended for months."""

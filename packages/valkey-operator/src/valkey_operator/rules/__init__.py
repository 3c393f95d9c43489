"""Text and numbers: accounts, configuration files, certificates, epochs. No I/O, no Juju."""

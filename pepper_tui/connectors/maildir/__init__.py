"""Mail from Maildirs."""

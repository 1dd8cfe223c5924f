"""What a platform team would pick instead, each as its own documents recommend, on the same topic and receiver."""

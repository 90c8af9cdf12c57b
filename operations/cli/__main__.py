"""`python -m operations.cli`: what the `gonogo` script hands over to."""

from operations.cli.app import main

if __name__ == "__main__":
    main()

"""`python -m qcmarl` is the command `qcmarl`."""

from qcmarl.cli import main

if __name__ == "__main__":
    main()

"""`python -m cnnkit.cli`, where the command itself is not on the path."""

import sys

from cnnkit.cli import main

sys.exit(main())

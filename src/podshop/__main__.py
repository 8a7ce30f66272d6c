"""python -m podshop"""

import sys

from podshop.cli import main

sys.exit(main())

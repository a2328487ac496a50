from typing import Optional

__version__ = '2.1.2+cu121'
debug = False
cuda: Optional[str] = '12.1'
hip: Optional[str] = None

"""What a service has logged and what became of it, as a line from the service to the demo."""

import json
import logging
from dataclasses import asdict, dataclass

from loghub import metrics

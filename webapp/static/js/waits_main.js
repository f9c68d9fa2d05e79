/** What waits for a person, on the pages that have no script of their own. */

import { startBadge } from "./approvals/badge.js";

startBadge();

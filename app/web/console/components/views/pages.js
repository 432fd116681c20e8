/** The component of each page that may lie over the room (`core/views.js` names them). */
import { Accounts } from '../accounts/accounts.js';
import { Audit } from '../audit/audit.js';
import { Discrepancies } from '../discrepancies/discrepancies.js';
import { Exports } from '../exports/exports.js';
import { Hall } from '../hall/hall.js';
import { Incidents } from '../incidents/incidents.js';
import { ItemReports } from '../item-report/item-reports.js';
import { Misconduct } from '../misconduct/misconduct.js';
import { Photos } from '../photos/photos.js';
import { Password } from '../password/password.js';
import { Site } from '../site/site.js';

/** @type {Record<string, any>} */
export const PAGES = {
  accounts: Accounts,
  audit: Audit,
  discrepancies: Discrepancies,
  hall: Hall,
  incidents: Incidents,
  itemReports: ItemReports,
  misconduct: Misconduct,
  photos: Photos,
  records: Exports,
  // Behind the button in the top bar, not a tab.
  password: Password,
  site: Site,
};

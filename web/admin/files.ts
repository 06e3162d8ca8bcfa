import { resolve } from 'node:path';

/** Where the built dashboard is. */
export const DASHBOARD_FILES = resolve(import.meta.dirname, '..', '..', 'dist', 'admin');

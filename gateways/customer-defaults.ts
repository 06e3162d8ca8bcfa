import type { SessionOrder } from './port.ts';

/** SSLCOMMERZ and its kind demand a customer; for one who is not known, or whom they have no room for, these stand. They are nobody's. */
export const CUSTOMER_DEFAULTS: SessionOrder['customer'] = {
  name: 'Customer',
  email: 'customer@example.com',
  phone: '01700000000',
  address: 'Dhaka',
  city: 'Dhaka',
  postcode: '1000',
  country: 'Bangladesh',
};

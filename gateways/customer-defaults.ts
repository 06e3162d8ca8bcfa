import type { SessionOrder } from './port.ts';

/**
 * Placeholders for gateways such as SSLCOMMERZ that require customer details, used if the customer is unknown or a value is too long for the field.
 */
export const CUSTOMER_DEFAULTS: SessionOrder['customer'] = {
  name: 'Customer',
  email: 'customer@example.com',
  phone: '01700000000',
  address: 'Dhaka',
  city: 'Dhaka',
  postcode: '1000',
  country: 'Bangladesh',
};

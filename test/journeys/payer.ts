import { open, press, type Page } from '../../scripts/demo/payer.ts';

/** Pays a payment's checkout by links and forms; the page that sends the payer back, or the end of the road. */
export async function payAtGateway(checkoutUrl: string): Promise<Page> {
  const gateway = await press(await open(checkoutUrl), { form: 'form[action*="/continue"]' });
  return press(gateway, { form: 'form', button: 'pay' });
}

/** The same, and back to our page. */
export async function payAndReturn(checkoutUrl: string): Promise<Page> {
  return press(await payAtGateway(checkoutUrl), { form: 'form#return' });
}

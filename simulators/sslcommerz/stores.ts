export type Store = { id: string; password: string };

export const defaultStores = 'lenden_test:lenden_test@ssl,lenden_live:lenden_live@ssl';

/**
 * Reads `id:password,id:password`. The password may contain a colon but not a comma.
 * @throws Error when an entry has no id or no password, or an id occurs twice
 */
export function parseStores(text: string): Store[] {
  const stores = text.split(',').map((entry) => {
    const [, id, password] = /^([^:]{1,30}):(.{1,30})$/.exec(entry.trim()) ?? [];
    if (id === undefined || password === undefined) {
      throw new Error('Stores are written id:password,id:password with at most 30 characters each');
    }
    return { id, password };
  });
  if (new Set(stores.map((store) => store.id)).size !== stores.length) {
    throw new Error('A store id is given twice');
  }
  return stores;
}

declare module 'knex/lib/dialects/sqlite3/index.js' {
  const Client: new (...args: never[]) => { _query(connection: unknown, query: { sql: string }): Promise<unknown> }
  export default Client
}

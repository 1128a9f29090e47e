// Runs the SQL that comes on standard input and writes the rows of its last statement as JSON.
import { DuckDBInstance } from '@duckdb/node-api';
import { text } from 'node:stream/consumers';

const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
const rows = await connection.runAndReadAll(await text(process.stdin));
process.stdout.write(JSON.stringify(rows.getRowObjectsJson()));

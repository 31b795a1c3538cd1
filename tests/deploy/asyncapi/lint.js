// usage: node lint.js FILE: what AsyncAPI's own parser has against it, one line each; exit status 1 where it is an error or a warning.
const { Parser, fromFile } = require("@asyncapi/parser");
const { AvroSchemaParser } = require("@asyncapi/avro-schema-parser");

const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
fromFile(parser, process.argv[2]).parse().then(({ document, diagnostics }) => {
  const told = diagnostics.filter((one) => one.severity <= 1);
  for (const one of told) console.log(`${one.code} ${one.path.join(".")}: ${one.message}`);
  if (document)
    for (const message of document.allMessages())
      console.log(`message ${message.name()}: ${Object.keys(message.payload()?.properties() ?? {}).join(" ")}`);
  process.exit(told.length > 0 || !document ? 1 : 0);
});

"""What the system tests stand on: a broker, registries, clients and ringfold itself, all on the loopback."""

# One network with private addresses. The database is reached through a peering, the queue in the subnetwork, and both roles send
# into it directly (Direct VPC egress), so no connector has to run beside them.

resource "google_compute_network" "main" {
  name                    = var.name
  auto_create_subnetworks = false

  depends_on = [google_project_service.apis]
}

resource "google_compute_subnetwork" "main" {
  name                     = var.name
  network                  = google_compute_network.main.id
  region                   = var.region
  ip_cidr_range            = var.network_range
  private_ip_google_access = true
}

# Addresses that Google's own network takes for the database.
resource "google_compute_global_address" "database" {
  name          = "${var.name}-database"
  network       = google_compute_network.main.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
}

resource "google_service_networking_connection" "main" {
  network                 = google_compute_network.main.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.database.name]

  depends_on = [google_project_service.apis]
}

# The way out for the queue's machine, which installs Debian packages and has no public address.
resource "google_compute_router" "main" {
  name    = var.name
  network = google_compute_network.main.id
  region  = var.region
}

resource "google_compute_router_nat" "main" {
  name                               = var.name
  router                             = google_compute_router.main.name
  region                             = var.region
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  subnetwork {
    name                    = google_compute_subnetwork.main.id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }
}

# All that comes in: bells, from inside. A network of its own refuses what is not allowed, and nobody has to sign in on the machine.
resource "google_compute_firewall" "amqp" {
  name                    = "${var.name}-amqp"
  network                 = google_compute_network.main.id
  direction               = "INGRESS"
  source_ranges           = [var.network_range]
  target_service_accounts = [google_service_account.roles["queue"].email]

  allow {
    protocol = "tcp"
    ports    = ["5672"]
  }
}

# RabbitMQ as Debian ships it, on one small machine with a private address. It rings and never remembers: while it is away, work
# goes on more slowly, and what it loses is rung again. So one machine is enough, and its disk needs no backup.

locals {
  # What follows the user and the password in the URL of the queue.
  queue_place = "${google_compute_address.queue.address}:5672/slipway"
}

resource "google_compute_address" "queue" {
  name         = "${var.name}-queue"
  region       = var.region
  subnetwork   = google_compute_subnetwork.main.id
  address_type = "INTERNAL"
}

resource "google_compute_disk" "queue" {
  name = "${var.name}-queue"
  zone = var.zone
  type = "pd-balanced"
  size = var.queue_disk_gb

  depends_on = [google_project_service.apis]
}

resource "google_compute_instance" "queue" {
  name                      = "${var.name}-queue"
  zone                      = var.zone
  machine_type              = var.queue_machine
  allow_stopping_for_update = true

  boot_disk {
    initialize_params {
      image = "debian-cloud/debian-12"
      type  = "pd-balanced"
      size  = 10
    }
  }

  # Queues outlive the machine. The script finds the disk by this name.
  attached_disk {
    source      = google_compute_disk.queue.id
    device_name = "queue"
  }

  network_interface {
    subnetwork = google_compute_subnetwork.main.id
    network_ip = google_compute_address.queue.address
  }

  # The script runs at every start. It reads the secret's name here, and its value from Secret Manager.
  metadata = {
    startup-script = file("${path.module}/queue/startup.sh")
    queue-secret   = google_secret_manager_secret.queue.id
    enable-oslogin = "TRUE"
  }

  service_account {
    email  = google_service_account.roles["queue"].email
    scopes = ["cloud-platform"]
  }

  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }

  # A newer image of Debian is no reason to build the machine again.
  lifecycle {
    ignore_changes = [boot_disk[0].initialize_params[0].image]
  }

  depends_on = [
    google_compute_router_nat.main,
    google_secret_manager_secret_iam_member.queue,
    google_secret_manager_secret_version.queue,
  ]
}

package demo

// Crew are who works at Harbour Facility Services beside Ada.
var Crew = []Person{
	{"dina", "Dina Petersen", "dispatcher"},
	{"lea", "Lea Brandt", "lead"},
	{"tim", "Tim Okoye", "technician"},
	{"sara", "Sara Lindholm", "technician"},
	{"marek", "Marek Nowak", "technician"},
	{"olga", "Olga Ferrari", "storekeeper"},
}

// crewTeams are the teams, and who is in them.
var crewTeams = []struct {
	name, title string
	technicians []string
}{
	{"north", "North of the river", []string{"tim", "sara"}},
	{"south", "South of the river", []string{"marek"}},
}

// How many of each there are.
const (
	siteCount  = 48
	assetCount = 900
	orderCount = 960
)

var siteNames = []string{"Town hall", "Harbour terminal", "School at the park", "City library", "Swimming hall", "Clinic", "Fire station", "Bus depot", "Museum of trade", "Court house", "Theatre", "Market hall"}

var streets = []string{"Hafenstraße", "Am Kai", "Lindenallee", "Speicherweg", "Brückenstraße", "Marktplatz", "Werftgasse", "Deichweg", "Kapitänsweg", "Fährstraße"}

var cities = []struct {
	name, postcode string
	lat, lon       float64
	team           string
}{
	{"Nordhafen", "20457", 53.551, 9.994, "north"},
	{"Altstadt", "20095", 53.553, 10.002, "north"},
	{"Süderelbe", "21073", 53.461, 9.985, "south"},
	{"Veddel", "20539", 53.522, 10.028, "south"},
}

var contacts = []string{"Frau Albers", "Herr Demir", "Mrs Okafor", "Herr Jansen", "Frau Lutz", "Mr Silva", "Frau Baumann", "Herr Krüger"}

var assetKinds = []struct {
	kind, name, mark string
	faults           []string
}{
	{"lift", "Passenger lift", "LF", []string{"Lift stops between floors", "Lift door does not close", "Emergency call is dead"}},
	{"boiler", "Gas boiler", "BO", []string{"No hot water", "Boiler loses pressure", "Burner does not ignite"}},
	{"ventilation", "Ventilation unit", "VE", []string{"Ventilation is loud", "No air in the meeting room", "Filter alarm"}},
	{"door", "Automatic door", "DO", []string{"Door stays open", "Door sensor does not react", "Door closes too fast"}},
	{"alarm", "Fire alarm panel", "FA", []string{"Panel shows a fault on loop 2", "Detector is dirty", "Battery is weak"}},
	{"pump", "Heating pump", "PU", []string{"Pump leaks", "Pump does not start", "Pump hums"}},
}

var spareParts = []struct {
	name, number, price, fits string
}{
	{"Door roller", "DR-100", "18.90", "door"}, {"Door sensor", "DS-220", "74.50", "door"}, {"Drive belt, 1.8 m", "DB-018", "32.00", "door"}, {"Lift button, lit", "LB-007", "21.40", "lift"},
	{"Guide shoe", "GS-310", "58.00", "lift"}, {"Brake lining", "BL-055", "96.30", "lift"}, {"Ignition electrode", "IE-012", "27.80", "boiler"}, {"Pressure switch", "PS-081", "44.10", "boiler"},
	{"Expansion vessel, 25 l", "EV-025", "129.00", "boiler"}, {"Filter mat F7", "FM-007", "12.60", "ventilation"}, {"Fan bearing", "FB-204", "39.95", "ventilation"}, {"Flow sensor", "FS-033", "61.20", "ventilation"},
	{"Smoke detector", "SD-900", "48.75", "alarm"}, {"Battery 12 V, 7 Ah", "BA-127", "23.30", "alarm"}, {"Loop card", "LC-002", "312.00", "alarm"}, {"Shaft seal", "SS-016", "15.80", "pump"},
	{"Circulation pump 25-60", "CP-256", "284.00", "pump"}, {"Capacitor 8 µF", "CA-008", "6.40", "pump"}, {"Gasket set", "GK-001", "9.10", "pump"}, {"Contactor 24 V", "CO-024", "33.70", "lift"},
}

var accessNotes = []string{"Key at the porter's desk.", "Ring twice; deliveries at the back.", "Code from the contact, changed every month.", "Closed on Mondays.", "Wear a helmet behind the yellow line."}

var reports = []string{"Part changed, tested, works again.", "Cleaned and adjusted. Runs quietly now.", "Fault found in the wiring, mended.", "Maintenance done by the list, nothing to complain about.", "Reset, watched for half an hour, no fault."}

var cancelReasons = []string{"The customer has mended it.", "Ordered twice.", "The building is being rebuilt."}
